"""The steps, one module each; their order stands in codemill.pipeline.

Workers import the module of the step they work for, and nothing else: this file imports none of them.
"""

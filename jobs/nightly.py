"""spark-submit jobs/nightly.py --conf-file F [--set key=value ...]: all jobs; only what is new is annotated."""

from codemill.cli import job

if __name__ == "__main__":
    job()

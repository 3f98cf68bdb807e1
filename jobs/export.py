"""spark-submit jobs/export.py --conf-file F [--set key=value ...]."""

from codemill.cli import job

if __name__ == "__main__":
    job("export")

"""spark-submit jobs/ingest.py --conf-file F [--set key=value ...]."""

from codemill.cli import job

if __name__ == "__main__":
    job("ingest")

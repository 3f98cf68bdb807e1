"""spark-submit jobs/fim.py --conf-file F [--set key=value ...]."""

from codemill.cli import job

if __name__ == "__main__":
    job("fim")

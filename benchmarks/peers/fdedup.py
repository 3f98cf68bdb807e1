"""data-prep-toolkit-transforms[fdedup]: its four services one after the other, as it comes.

That is one process, whose data frames have threads. Told to use two, its first service loses its signatures, and its
second hangs: data frames with threads do not survive a fork.
"""

import sys

import pyarrow.parquet as pq
from dpk_fdedup.transform_python import ServiceOrchestrator, parse_args
from outcome import Run

NAMES = {"number": "int_id_column", "text": "contents"}

if __name__ == "__main__":
    run = Run()
    (run.work / "input").mkdir()
    for part in run.corpus.glob("*.parquet"):
        table = pq.read_table(part, columns=list(NAMES)).rename_columns(list(NAMES.values()))
        pq.write_table(table, run.work / "input" / part.name)
    sys.argv[1:] = ["--input_folder", f"{run.work}/input", "--output_folder", f"{run.work}/output"]
    sys.argv += ["--jaccard_similarity_threshold", "0.7", "--word_shingle_size", "5"]
    sys.argv += ["--contents_column", "contents", "--document_id_column", "int_id_column"]
    sys.argv += ["--operation_mode", "filter_duplicates"]
    arguments = parse_args()
    with run:
        status = ServiceOrchestrator(arguments).orchestrate()
    if status:
        sys.exit(1)
    cleaned = (run.work / "output" / "cleaned").glob("*.parquet")
    run.report(id_ for part in cleaned for id_ in pq.read_table(part)["int_id_column"].to_pylist())

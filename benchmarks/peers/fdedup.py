"""data-prep-toolkit-transforms[fdedup]: its four services one after the other, each with two processes."""

import pyarrow.parquet as pq
from dpk_fdedup.transform_python import ServiceOrchestrator, parse_args
from outcome import Run

NAMES = {"number": "int_id_column", "text": "contents"}


class TwoProcesses(ServiceOrchestrator):
    """The services as they are, told to use two processes."""

    def get_arguments(self, in_args: object, service_name: str) -> list[str]:
        """Add to a service's arguments."""
        return [*super().get_arguments(in_args, service_name), "--runtime_num_processors", "2"]


if __name__ == "__main__":
    import sys

    run = Run()
    for part in run.corpus.glob("*.parquet"):
        table = pq.read_table(part, columns=list(NAMES)).rename_columns(list(NAMES.values()))
        (run.work / "input").mkdir(exist_ok=True)
        pq.write_table(table, run.work / "input" / part.name)
    sys.argv[1:] = ["--input_folder", f"{run.work}/input", "--output_folder", f"{run.work}/output"]
    sys.argv += ["--jaccard_similarity_threshold", "0.7", "--word_shingle_size", "5"]
    sys.argv += ["--contents_column", "contents", "--document_id_column", "int_id_column"]
    arguments = parse_args()
    with run:
        status = TwoProcesses(arguments).orchestrate()
    if status:
        sys.exit(1)
    run.report(pq.read_table(f"{run.work}/output/cleaned", columns=["int_id_column"]).column(0).to_pylist())

"""text-dedup, its MinHash as it comes (256 permutations), or with the check for false positives (option: verified)."""

from outcome import Run
from text_dedup.config import Config, MinHashAlgorithmConfig
from text_dedup.config.debug import DebugConfig
from text_dedup.config.io import LocalInputConfig, OutputConfig
from text_dedup.minhash import main

if __name__ == "__main__":
    from datasets import load_from_disk

    run = Run()
    files = {"data_files": f"{run.corpus}/*.parquet", "cache_dir": f"{run.work}/cache", "split": "train"}
    config = Config(
        input=LocalInputConfig(file_type="parquet", read_arguments={"path": "parquet", **files}),
        algorithm=MinHashAlgorithmConfig(
            algorithm_name="minhash",
            text_column="text",
            ngram_size=5,
            threshold=0.7,
            num_perm=256,
            num_proc=2,
            check_false_positive=run.option == "verified",
        ),
        output=OutputConfig(output_dir=f"{run.work}/output"),
        debug=DebugConfig(),
    )
    with run:
        main(config)
    run.report(load_from_disk(f"{run.work}/output")["number"])

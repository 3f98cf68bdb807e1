"""text-dedup, its MinHash as it comes (256 permutations), or with the check for false positives (option: verified)."""

from outcome import Run
from text_dedup.config.base import load_config_from_toml
from text_dedup.minhash import main

CONFIG = """
[input]
input_type = "local_files"
file_type = "parquet"
read_arguments = {{ path = "parquet", data_files = "{corpus}/*.parquet", cache_dir = "{work}/cache", split = "train" }}
[algorithm]
algorithm_name = "minhash"
text_column = "text"
ngram_size = 5
threshold = 0.7
num_perm = 256
num_proc = 2
check_false_positive = {verified}
[output]
output_dir = "{work}/output"
[debug]
"""

if __name__ == "__main__":
    from datasets import load_from_disk

    run = Run()
    verified = "true" if run.option == "verified" else "false"
    file = run.work / "config.toml"
    file.write_text(CONFIG.format(corpus=run.corpus, work=run.work, verified=verified), encoding="utf-8")
    config = load_config_from_toml(file)
    with run:
        main(config)
    run.report(load_from_disk(f"{run.work}/output")["number"])

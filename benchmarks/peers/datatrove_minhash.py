"""datatrove: the four stages of its MinHash, each a local executor with two workers."""

import pyarrow.parquet as pq
from datatrove.executor import LocalPipelineExecutor
from datatrove.pipeline.dedup import MinhashDedupCluster, MinhashDedupFilter, MinhashDedupSignature
from datatrove.pipeline.dedup.minhash import MinhashConfig, MinhashDedupBuckets
from datatrove.pipeline.readers import ParquetReader
from datatrove.pipeline.writers import ParquetWriter
from outcome import Run

if __name__ == "__main__":
    run = Run()
    config = MinhashConfig(n_grams=5)
    parts = len(list(run.corpus.glob("*.parquet")))
    signatures, buckets, removals, kept = (f"{run.work}/{name}" for name in ("1", "2", "3", "kept"))

    def reader() -> ParquetReader:
        """Read the corpus with the paths as ids: 0 is none."""
        return ParquetReader(str(run.corpus), id_key="path", read_metadata=False)

    stages = [
        ([reader(), MinhashDedupSignature(signatures, config)], parts),
        ([MinhashDedupBuckets(signatures, buckets, config=config)], config.num_buckets),
        ([MinhashDedupCluster(buckets, removals, config=config)], 1),
        ([reader(), MinhashDedupFilter(removals), ParquetWriter(kept)], parts),
    ]
    with run:
        for number, (pipeline, tasks) in enumerate(stages):
            LocalPipelineExecutor(pipeline, tasks, workers=2, logging_dir=f"{run.work}/log-{number}").run()
    names = pq.read_table(run.corpus, columns=["path", "number"])
    number_of = dict(zip(names["path"].to_pylist(), names["number"].to_pylist(), strict=True))
    run.report(number_of[path] for path in pq.read_table(kept, columns=["id"]).column(0).to_pylist())

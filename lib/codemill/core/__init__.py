"""Pure cores: what looks at one text. Plain functions on plain strings; no Spark, no files, no tables."""

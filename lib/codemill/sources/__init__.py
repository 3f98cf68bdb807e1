"""Readers of raw sources: each turns one container (an archive, a folder) into a stream of files and refusals."""

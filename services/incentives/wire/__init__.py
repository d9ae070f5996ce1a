"""Protobuf to domain values and back; nothing else."""

"""Domain values in and out of the tables; no protobuf."""

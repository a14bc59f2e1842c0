"""What commands write to a terminal or a log: lines, encodings, completion."""

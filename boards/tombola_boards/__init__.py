"""One file per board, its top level, and the build with open tools."""

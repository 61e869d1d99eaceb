"""Measures libhanko beside what people use today; `benchmarks/run` is the command, `benchmarks/README.md` the manual."""

"""Damaged media by the thousand: real seeds, mutations by seeded rules, and what comes of them.

    seeds.py      small real files in every common container, made from the sample
    mutations.py  a seed's bytes and a number → damaged bytes, always the same ones
    cases.py      one damaged file down the real road, in this process; the verdict

`benchmarks/fuzz_media.py` runs thousands of cases in processes of their own; the test suite a few
dozen.
"""

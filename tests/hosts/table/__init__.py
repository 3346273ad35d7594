"""Tables: what customers can type on servers' hosts before two shards, tried and judged.

`commands` and `shards` say what is tried where, `fleet` and `site` lead hosts there, `trial` tries
it by `program` on a host; `rows` has what came of it, which `reasons` and `answers` judge.
"""

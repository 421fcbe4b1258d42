"""The cache of what was used last."""

from gui.recent import Recent


def test_what_was_used_longest_ago_is_evicted():
    cache = Recent(2, 100, len)
    for key in "ab":
        cache.put(key, key)
    assert cache.get("a") == "a"
    cache.put("c", "c")
    assert [key in cache for key in "abc"] == [True, False, True]
    assert cache.get("b") is None


def test_entries_fit_into_the_memory_and_the_newest_stays():
    cache = Recent(9, 5, len)
    cache.put("a", "aa")
    cache.put("a", "aaa")
    cache.put("b", "bb")
    assert len(cache) == 2
    cache.put("c", "c")
    assert [key in cache for key in "abc"] == [False, True, True]
    cache.put("d", "d" * 9)
    assert [key in cache for key in "bcd"] == [False, False, True]
    cache.put("e", "e")
    assert [key in cache for key in "de"] == [False, True]

"""The cache of what was used last."""

from engine.lru_cache import LRUCache


def test_what_was_used_longest_ago_is_evicted():
    cache = LRUCache(2, 100, len)
    for key in "ab":
        cache.put(key, key)
    assert cache.get("a") == "a"
    cache.put("c", "c")
    assert [key in cache for key in "abc"] == [True, False, True]
    assert cache.get("b") is None


def test_entries_fit_into_the_memory_and_the_newest_stays():
    cache = LRUCache(9, 5, len)
    cache.put("a", "aa")
    cache.put("a", "aaa")
    cache.put("b", "bb")
    assert (len(cache), cache.size) == (2, 5)
    cache.put("c", "c")
    assert [key in cache for key in "abc"] == [False, True, True]
    cache.put("d", "d" * 9)
    assert [key in cache for key in "bcd"] == [False, False, True]
    cache.put("e", "e")
    assert [key in cache for key in "de"] == [False, True]
    assert cache.size == 1


def test_a_value_is_created_once_until_it_is_removed():
    created = []
    cache = LRUCache(max_entries=2)

    def get(key):
        return cache.get_or_create(key, lambda: created.append(key) or f"value of {key}")

    assert [get(key) for key in "aba"] == ["value of a", "value of b", "value of a"]
    assert created == ["a", "b"]
    cache.pop("a")
    cache.pop("nothing")
    assert (get("a"), created) == ("value of a", ["a", "b", "a"])


def test_getting_counts_as_use():
    cache = LRUCache(max_entries=2)
    for key in "abac":
        cache.get_or_create(key, lambda: 1)
    assert [key in cache for key in "abc"] == [True, False, True]


def test_creating_may_use_the_cache_itself():
    cache = LRUCache()
    cache.get_or_create("a", lambda: cache.get_or_create("b", lambda: 1) + 1)
    assert (cache.get("a"), cache.get("b")) == (2, 1)

"""Tags: conditions as people write them, and the stores that meet them."""

import polars as pl
import pytest

from storemon import InputError
from storemon.engine.tags import matching, parse_where, with_tags

TAGS = pl.DataFrame(
    [("a", "region", "West"), ("a", "brand", "B & C, 2"), ("b", "region", "East"), ("x", "region", "Nowhere")],
    schema={"store_id": pl.String, "tag": pl.String, "value": pl.String},
    orient="row",
)
STORES = pl.DataFrame({"store_key": [3, 1, 2], "store_id": ["c", "a", "b"]})
NO_TAGS, NO_STORES = TAGS.clear(), STORES.clear()


@pytest.mark.parametrize(
    ("conditions", "found"),
    [
        ([], {}),
        (["region=West"], {"region": "West"}),
        ([" region = New England ", "brand=B"], {"region": "New England", "brand": "B"}),
        (["region="], {"region": ""}),
        (["formula=a=b"], {"formula": "a=b"}),
    ],
)
def test_conditions(conditions: list[str], found: dict[str, str]) -> None:
    assert parse_where(conditions) == found


@pytest.mark.parametrize(
    ("conditions", "told"),
    [
        (["region"], "'region' is not a condition; write it like region=West"),
        (["=West"], "'=West' is not a condition"),
        (["  "], "'  ' is not a condition"),
        (["region=West", "region=East"], "region cannot be both 'West' and 'East'; keep one condition for each tag"),
        (["region=West", "region="], "region cannot be both 'West' and ''"),
    ],
)
def test_what_is_no_condition(conditions: list[str], told: str) -> None:
    with pytest.raises(InputError, match=told):
        parse_where(conditions)


def test_tags_beside_their_stores() -> None:
    assert with_tags(STORES, TAGS, ["brand", "region"]).rows() == [
        (3, "c", "", ""),
        (1, "a", "B & C, 2", "West"),
        (2, "b", "", "East"),
    ]
    assert with_tags(STORES, TAGS, []).equals(STORES)
    assert with_tags(NO_STORES, TAGS, ["region"]).columns == ["store_key", "store_id", "region"]


@pytest.mark.parametrize(
    ("tags", "names", "told"),
    [
        (TAGS, ["regoin"], r"there is no tag 'regoin'; did you mean region\?"),
        (TAGS, ["qqq"], "there is no tag 'qqq'; choose from: brand, region"),
        (TAGS, ["region", "brand", "region"], "the tag 'region' is named twice"),
        (NO_TAGS, ["region"], "there is no tag 'region'; choose from: none there are"),
    ],
)
def test_what_is_no_tag(tags: pl.DataFrame, names: list[str], told: str) -> None:
    with pytest.raises(InputError, match=told):
        with_tags(STORES, tags, names)


@pytest.mark.parametrize(
    ("where", "store_ids"),
    [
        ({}, ["c", "a", "b"]),
        ({"region": "West"}, ["a"]),
        ({"region": "West", "brand": "B & C, 2"}, ["a"]),
        ({"region": "East", "brand": "B & C, 2"}, []),
        # The empty value is that of a store without the tag.
        ({"region": ""}, ["c"]),
        ({"brand": ""}, ["c", "b"]),
        ({"region": "", "brand": ""}, ["c"]),
        # A value that only stores have which are not asked about.
        ({"region": "Nowhere"}, []),
    ],
)
def test_stores_that_match(where: dict[str, str], store_ids: list[str]) -> None:
    found = matching(STORES, TAGS, where)
    assert found["store_id"].to_list() == store_ids
    assert found.columns == STORES.columns


@pytest.mark.parametrize(
    ("where", "told"),
    [
        ({"regio": "West"}, r"there is no tag 'regio'; did you mean region\?"),
        ({"regio": ""}, r"there is no tag 'regio'; did you mean region\?"),
        ({"region": "west"}, r"there is no region 'west'; did you mean (West|East)( or (West|East))?\?"),
        ({"region": "?"}, "there is no region '\\?'; choose from: East, Nowhere, West"),
    ],
)
def test_what_no_store_can_match(where: dict[str, str], told: str) -> None:
    with pytest.raises(InputError, match=told):
        matching(STORES, TAGS, where)

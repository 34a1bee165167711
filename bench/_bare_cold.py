"""The floor of cold pages: a bare Quart route that reads the rows of a first page by one statement, as JSON."""

import sys

import asyncpg
from _serving import serve
from quart import Quart, Response

app = Quart(__name__)
PAGE = """
SELECT json_build_object('version', (SELECT version FROM gateway.user_streams WHERE user_id = $1), 'total', (
    SELECT count(*) FROM library.user_library_items
    WHERE user_id = $1 AND acquisition_type IS NOT NULL AND is_hidden IS FALSE
), 'data', (SELECT json_agg(one) FROM (
    SELECT i.*, p.title_ru, p.title_en, p.cover_image_url, ARRAY(
        SELECT category_id FROM library.user_library_item_to_categories c
        WHERE c.user_id = $1 AND c.library_item_id = i.id
    ) AS categories
    FROM library.user_library_items i LEFT JOIN library.products p USING (product_id)
    WHERE user_id = $1 AND acquisition_type IS NOT NULL AND is_hidden IS FALSE
    ORDER BY last_played_at DESC NULLS LAST, added_at DESC, id LIMIT 20
) one))::text
"""


@app.before_serving
async def connect() -> None:
    app.pool = await asyncpg.create_pool(sys.argv[3], min_size=10, max_size=10)


@app.get("/items/<user>")
async def items(user: str) -> Response:
    return Response(await app.pool.fetchval(PAGE, user), content_type="application/json")


serve(app, sys.argv[1], int(sys.argv[2]))

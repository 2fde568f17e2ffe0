from store.database import Database


async def test_ping(database: Database) -> None:
    await database.ping()

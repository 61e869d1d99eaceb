"""The application that the tests serve with uvicorn."""

import os
from typing import Annotated, Any

from fastapi import Depends
from routes import make_app

from hanko import Session
from hanko.fastapi import lifespan, require_session

app = make_app(lifespan=lifespan)


@app.get("/process")
async def process(session: Annotated[Session, Depends(require_session)]) -> dict[str, Any]:
    """Which worker answers."""
    return {"user_id": session.user_id, "process": os.getpid()}

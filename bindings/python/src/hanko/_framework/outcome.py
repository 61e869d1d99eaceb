"""What came of asking about one request."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Optional

from .._errors import HankoError, InvalidToken
from .._session import Session


@dataclass(frozen=True)
class Outcome:
    """A session, or the reason why there is none. It is kept with the request, so that Hanko is asked once."""

    session: Optional[Session] = None
    error: Optional[HankoError] = None

    def refusal(self, optional: bool = False) -> Optional[HankoError]:
        """Why the request is not let through; `None` when it is.

        Where the session is optional, no token or only refused ones (a stale cookie) are no reason; an outage is.
        """
        if optional and isinstance(self.error, InvalidToken):
            return None
        return self.error

    def result(self, optional: bool = False) -> Optional[Session]:
        """The session; `None` only where it is optional. Otherwise the reason is raised."""
        refusal = self.refusal(optional)
        if refusal is not None:
            # A copy: a raised exception holds its frames, they hold the request, and that holds this outcome.
            raise copy.copy(refusal)
        return self.session

"""Where an answer ends: the tests of the blocking calls, through the completion queue."""

from __future__ import annotations

import ssl

import pytest

import test_declared_end
from certificates import only_version
from queue_driver import through_the_queue

globals().update(through_the_queue(test_declared_end))


@pytest.fixture(params=[None, ssl.TLSVersion.TLSv1_3], ids=["http", "TLS 1.3"])
def transport(request, trusted):
    """Without TLS 1.2: what differs from 1.3 lies in the TLS library, and takes its time."""
    return request.param and only_version(trusted.server_context(), request.param)

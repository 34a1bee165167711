"""The port for access to products, as the packages that need one answer use it."""

from uuid import uuid4

import pytest
from gameshelf.devstack.access import AllButBarred
from gameshelf.kernel.access import require_access
from gameshelf.kernel.errors import PermissionDenied


async def test_require_access_raises_what_refuses_this_product_alone():
    access, user, barred = AllButBarred(), uuid4(), uuid4()
    access.barred.add(barred)
    await require_access(access, user, uuid4())
    with pytest.raises(PermissionDenied):
        await require_access(access, user, barred)

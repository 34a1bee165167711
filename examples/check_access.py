"""Another service asks whether a user may play a product: ``python examples/check_access.py TOKEN USER PRODUCT``.

The token has role ``service`` (any user) or ``user`` (that user). It needs the package ``gameshelf-protos``; the
variable LIBRARY_GRPC names another address. Exits with 0 for yes, 1 for no.
"""

import os
import sys

import grpc
from gameshelf.protos.library.v1.library_query_service_pb2 import CheckGameAccessRequest
from gameshelf.protos.library.v1.library_query_service_pb2_grpc import LibraryQueryServiceStub

ADDRESS = os.environ.get("LIBRARY_GRPC", "127.0.0.1:9094")


def check_access(token: str, user_id: str, product_id: str) -> bool:
    """Returns whether the user may play, and prints the answer."""
    with grpc.insecure_channel(ADDRESS) as channel:
        answer = LibraryQueryServiceStub(channel).CheckGameAccess(
            CheckGameAccessRequest(user_id=user_id, product_id=product_id),
            metadata=(("authorization", f"Bearer {token}"),),
            timeout=5,
        )
    print(f"has_access: {answer.has_access}, reason: {answer.reason}, access_type: {answer.access_type or '-'}")
    return answer.has_access


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    try:
        sys.exit(0 if check_access(*sys.argv[1:]) else 1)
    except grpc.RpcError as error:
        sys.exit(f"{error.code().name}: {error.details()}")

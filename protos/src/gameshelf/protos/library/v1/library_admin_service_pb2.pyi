from gameshelf.protos.library.v1 import admin_achievements_pb2 as _admin_achievements_pb2
from gameshelf.protos.library.v1 import admin_audit_pb2 as _admin_audit_pb2
from gameshelf.protos.library.v1 import admin_devices_pb2 as _admin_devices_pb2
from gameshelf.protos.library.v1 import admin_events_pb2 as _admin_events_pb2
from gameshelf.protos.library.v1 import admin_family_pb2 as _admin_family_pb2
from gameshelf.protos.library.v1 import admin_finding_pb2 as _admin_finding_pb2
from gameshelf.protos.library.v1 import admin_library_pb2 as _admin_library_pb2
from gameshelf.protos.library.v1 import admin_orders_pb2 as _admin_orders_pb2
from gameshelf.protos.library.v1 import admin_playtime_pb2 as _admin_playtime_pb2
from gameshelf.protos.library.v1 import admin_policies_pb2 as _admin_policies_pb2
from gameshelf.protos.library.v1 import admin_saves_pb2 as _admin_saves_pb2
from gameshelf.protos.library.v1 import admin_sessions_pb2 as _admin_sessions_pb2
from gameshelf.protos.library.v1 import admin_settings_pb2 as _admin_settings_pb2
from gameshelf.protos.library.v1 import admin_users_pb2 as _admin_users_pb2
from gameshelf.protos.library.v1 import admin_wishlist_pb2 as _admin_wishlist_pb2
from google.protobuf import descriptor as _descriptor
from typing import ClassVar as _ClassVar

DESCRIPTOR: _descriptor.FileDescriptor

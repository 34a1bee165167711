from gameshelf.kernel.migrations import run
from gameshelf.library.models import LibraryItem

run(LibraryItem.metadata)

from gameshelf.kernel.migrations import run
from gameshelf.library._models import LibraryItem

run(LibraryItem.metadata)

/** The pages by their names. Each has `title`, `load`, which asks the service, and `render`, which asks nobody. */

import { family } from "./family.js";
import { game } from "./game.js";
import { home } from "./home.js";
import { library } from "./library.js";
import { wishlist } from "./wishlist.js";

export const pages = { home, library, game, wishlist, family };

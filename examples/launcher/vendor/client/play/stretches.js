/** The part of a game that is played in one state of the network. */
export {};

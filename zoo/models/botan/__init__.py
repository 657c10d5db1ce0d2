"""BOTAN: the network of Bapst et al. with targets of edges."""

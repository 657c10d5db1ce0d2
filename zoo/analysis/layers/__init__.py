"""What the layers of a network can and cannot give: bottlenecks, best neurons, ranks, dead units, smoothing.

Formulas: M. Verbockhaven, T. Rudkiewicz, S. Chevallier, G. Charpiat, "Growing tiny networks: spotting
expressivity bottlenecks and fixing them optimally", arXiv:2405.19816, for maps a = W b of graph networks. The
samples are rows of b: nodes, edges, pairs or frames, whatever the map works on; errors are over graphs.
"""

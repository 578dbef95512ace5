"""The synthetic dataset: machines, domains and faults rendered from physics, no network needed.

Good for learning the tool, for testing pipelines and for continuous integration: it has the layout, the names, the
imbalance (many source clips, few target clips) and the kinds of difference (speed, load, background, microphone,
fault) of the DCASE Task 2 datasets, and its truth is known down to the fault and its severity.

Not good for claims about real machines, and not for comparing methods: the sounds are simplified models tuned so
that simple detectors find some faults and miss others. A method that wins here has shown nothing about any factory.
"""

"""Finding faces: dlib's HOG and CNN detectors, or one that the operator brings."""

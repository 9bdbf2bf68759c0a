"""Handwritten digits: images centred and scaled one by one, whitened, classified by logistic regression.

The statistics of an image run along its own 64 pixels, the whitening is a principal component analysis,
and the classifier is multinomial: reductions, two matrix products and a softmax.
"""

from __future__ import annotations

import numpy as np
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression

import fuse
from fuse.integrations.jit.function import JitFunction

SEED = 7
COMPONENTS = 24
MANY = 200_000


def rows() -> np.ndarray:
    """The 1,797 images, 8 × 8 pixels of 0 to 16."""
    return load_digits().images


def many_rows(count: int) -> np.ndarray:
    """Images drawn from the real ones, each pixel off by up to half a step."""
    images = rows()
    rng = np.random.default_rng(SEED)
    return images[rng.integers(0, len(images), count)] + rng.uniform(-0.5, 0.5, (count, 8, 8))


def standardize(images: np.ndarray) -> np.ndarray:
    """Each image as 64 numbers of mean 0 and deviation about 1, so that thick and thin pens look alike."""
    pixels = images.reshape(-1, 64) / 16
    centred = pixels - pixels.mean(axis=1, keepdims=True)
    return centred / (centred.std(axis=1, keepdims=True) + 1e-3)


def build() -> JitFunction[[np.ndarray], np.ndarray]:
    """Fit the whitening and the classifier on the real images."""
    inputs = standardize(rows())
    whiten = PCA(COMPONENTS, whiten=True, random_state=SEED).fit(inputs)
    classify = LogisticRegression(max_iter=500).fit(whiten.transform(inputs), load_digits().target)

    @fuse.jit
    def run(images: np.ndarray) -> np.ndarray:
        """Probabilities of the ten digits for each image."""
        return classify.predict_proba(whiten.transform(standardize(images)))

    return run

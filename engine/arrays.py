"""Types of arrays with their shapes, which the tests check at every call: each word names an axis.

Within one call of a function all arrays that name an axis have the same length there. `_` is an axis of any length,
`1` one of that length, `*name` any number of axes, `...` all of them. A function that refuses arrays which do not fit
each other, with a sentence, takes `Any...` of them.

Example:
    `def sample_latent(mean: Latents, log_var: Latents, first: int) -> Latents` takes two arrays of one shape and
    returns one of that shape, (n, latent).
"""

from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray

Images = Annotated[NDArray[np.float32], "n height width 1"]
Pictures = Annotated[NDArray[Any], "n height width *channel"]  # of any type, with or without the channel
AnyPictures = Annotated[NDArray[Any], "_ _ _ *_"]
Stack = Annotated[NDArray[np.float64], "n height width"]
Masks = Annotated[NDArray[np.bool_], "n height width"]
PerImage = Annotated[NDArray[np.float64], "n"]

Image = Annotated[NDArray[np.float32], "height width"]
Picture = Annotated[NDArray[np.floating[Any]], "height width"]
AnyPicture = Annotated[NDArray[np.floating[Any]], "..."]
Mask = Annotated[NDArray[np.bool_], "height width"]
AnyMask = Annotated[NDArray[np.bool_], "..."]

Latents = Annotated[NDArray[np.float32], "n latent"]
Latent = Annotated[NDArray[np.float32], "latent"]
Points = Annotated[NDArray[np.float32], "n dimension"]
Point = Annotated[NDArray[np.float32], "dimension"]
Places = Annotated[NDArray[np.float32], "n 2"]  # on a map

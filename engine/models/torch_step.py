"""One training step of a Keras model in PyTorch's own functions: fused layers, one fused pass of Adam.

The Keras model stays the model. Its layers are translated at the start of an epoch (`engine.models.torch_layers`);
weights and the optimizer's state return to the Keras variables at the end. The results equal those of Keras' own step
within the rounding of float32.
"""

import math
from typing import Any

import keras
import torch

from engine.models.torch_layers import Graph, NotLowered, Tensor, Weights, needs_mirror


class FusedAdam:
    """Adam on the state of a Keras optimizer: gradient clipping, decoupled decay, update and average of the weights.

    Args:
        optimizer: a Keras Adam, built for `variables`.
        variables: the trainable Keras variables.
        weights: the tensors that are trained in their place.

    Raises:
        NotLowered: it is another optimizer, or an Adam of a kind that Engram does not build.
    """

    def __init__(self, optimizer: Any, variables: list[Any], weights: Weights) -> None:
        other = ("amsgrad", "clipnorm", "clipvalue", "gradient_accumulation_steps", "loss_scale_factor")
        if not isinstance(optimizer, keras.optimizers.Adam) or any(getattr(optimizer, name) for name in other):
            raise NotLowered(type(optimizer).__name__)
        self.optimizer, self.weights = optimizer, weights
        self.tensors = [weights.find(variable) for variable in variables]
        self.states = [optimizer._momentums, optimizer._velocities]
        if optimizer.use_ema:
            self.states.append(optimizer._model_variables_moving_average)
        self.kernels = [id(variable) in weights.kernels for variable in variables]
        self.lowered = [self._lower(state) for state in self.states]
        self.decayed = [
            tensor
            for variable, tensor in zip(variables, self.tensors, strict=True)
            if optimizer.weight_decay and optimizer._use_weight_decay(variable)
        ]
        self.count = int(optimizer.iterations.value)
        self.step = torch.tensor(float(self.count), device=self.tensors[0].device)

    def _lower(self, state: list[Any]) -> list[Tensor]:
        pairs = zip(self.kernels, state, strict=True)
        return [self.weights.lower(each.value) if is_kernel else each.value for is_kernel, each in pairs]

    def apply(self) -> None:
        """Update the weights from their gradients, in the order of Keras: clip, decay, Adam, average, count."""
        optimizer, rate = self.optimizer, float(self.optimizer.learning_rate)
        gradients = [tensor.grad for tensor in self.tensors]
        if optimizer.global_clipnorm:
            norm = torch.linalg.vector_norm(torch.stack(torch._foreach_norm(gradients)))
            torch._foreach_mul_(gradients, torch.clamp(optimizer.global_clipnorm / norm, max=1.0))
        if self.decayed:
            torch._foreach_mul_(self.decayed, 1.0 - rate * optimizer.weight_decay)
        self._update(gradients, rate)
        if optimizer.use_ema:
            momentum = min(optimizer.ema_momentum, (self.count - 1.0) / (self.count + 8.0))
            torch._foreach_lerp_(self.lowered[2], self.tensors, 1.0 - momentum)
        optimizer.iterations.value.add_(1)

    def _update(self, gradients: list[Tensor], rate: float) -> None:
        optimizer = self.optimizer
        self.count += 1
        self.step += 1.0
        torch._fused_adam_(
            self.tensors,
            gradients,
            *self.lowered[:2],
            [],
            [self.step] * len(gradients),
            lr=rate,
            beta1=optimizer.beta_1,
            beta2=optimizer.beta_2,
            weight_decay=0.0,
            # Keras adds epsilon to the root of the biased second moment, PyTorch to that of the unbiased one.
            eps=optimizer.epsilon / math.sqrt(1.0 - optimizer.beta_2**self.count),
            amsgrad=False,
            maximize=False,
        )

    def write_back(self) -> None:
        """Copy the state of the kernels to the Keras optimizer."""
        for state, lowered in zip(self.states, self.lowered, strict=True):
            for is_kernel, variable, tensor in zip(self.kernels, state, lowered, strict=True):
                if is_kernel:
                    variable.value.copy_(self.weights.lift(tensor))


class FusedStep:
    """The training step of a model, in its place while `Reconstructor.fit` runs.

    Args:
        model: a compiled `Reconstructor`.

    Raises:
        NotLowered: the model or its optimizer needs Keras' own step.
    """

    def __init__(self, model: Any) -> None:
        self.model = model
        mirrored = any(map(needs_mirror, (model.encoder, model.decoder)))
        self.weights = Weights(mirrored)
        self.encoder = Graph(model.encoder, self.weights, (mirrored, False))
        self.decoder = Graph(model.decoder, self.weights, (False, mirrored))
        self.optimizer = FusedAdam(model.optimizer, model.trainable_variables, self.weights)

    def __call__(self, data: Any) -> Any:
        """Train on one batch; return the metrics by name."""
        model = self.model
        x, y, _ = keras.utils.unpack_x_y_sample_weight(data)
        outputs = model.connect(self.encoder, self.decoder, x, training=True)
        loss = model.compute_loss(x=x, y=y, y_pred=outputs)
        model._loss_tracker.update_state(loss, sample_weight=len(x))
        for tensor in self.optimizer.tensors:
            tensor.grad = None
        loss.backward()
        with torch.no_grad():
            self.optimizer.apply()
        return model.compute_metrics(x, y, outputs, None)

    def write_back(self) -> None:
        """Copy the kernels and their optimizer's state to the Keras variables."""
        with torch.no_grad():
            for variable, tensor in self.weights.kernels.values():
                variable.value.copy_(self.weights.lift(tensor))
            self.optimizer.write_back()


def lower(model: Any) -> FusedStep | None:
    """Return the fused step of a model. Returns None if it needs Keras' own step."""
    try:
        return FusedStep(model)
    except NotLowered:
        return None

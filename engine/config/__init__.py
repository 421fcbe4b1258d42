"""Every setting of Engram, described once: title, unit, range, help.

The form in the window, the options of the command line, config.json and the table in the docs are all made from here.
A run's settings are a `RunConfig`: one frozen, validated section each, all listed by `sections`.
"""

from engine.config.data import DataConfig, resolve_source
from engine.config.models import (
    MODELS,
    AutoencoderConfig,
    BottleneckConfig,
    ConvolutionConfig,
    ELBOConfig,
    ModelConfig,
    ResidualConfig,
    ResidualVariationalConfig,
    SkipAutoencoderConfig,
    StridedConvConfig,
    UNetConfig,
    VariationalConfig,
    model_title,
)
from engine.config.noise import AugmentationConfig, DenoiseConfig, NoiseConfig, NoiseKind
from engine.config.run import (
    PRESET_ALIASES,
    RESOURCES,
    RunConfig,
    current_preset,
    from_flat,
    from_nested,
    option_name,
    preset,
    presets,
    sections,
    to_flat,
)
from engine.config.search import SearchConfig
from engine.config.section import FieldSpec, Section, Setting, list_fields, setting, validate
from engine.config.study import StudyConfig
from engine.config.training import TrainingConfig

__all__ = [
    "MODELS",
    "PRESET_ALIASES",
    "RESOURCES",
    "AugmentationConfig",
    "AutoencoderConfig",
    "BottleneckConfig",
    "ConvolutionConfig",
    "DataConfig",
    "DenoiseConfig",
    "ELBOConfig",
    "FieldSpec",
    "ModelConfig",
    "NoiseConfig",
    "NoiseKind",
    "ResidualConfig",
    "ResidualVariationalConfig",
    "RunConfig",
    "SearchConfig",
    "Section",
    "Setting",
    "SkipAutoencoderConfig",
    "StridedConvConfig",
    "StudyConfig",
    "TrainingConfig",
    "UNetConfig",
    "VariationalConfig",
    "current_preset",
    "from_flat",
    "from_nested",
    "list_fields",
    "model_title",
    "option_name",
    "preset",
    "presets",
    "resolve_source",
    "sections",
    "setting",
    "to_flat",
    "validate",
]

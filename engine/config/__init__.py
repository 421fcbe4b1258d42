"""Every setting of Engram, defined once: title, unit, range, help.

The form in the app, the options of the CLI, config.json and the table in the docs are all generated from here.
A run's settings are a `RunConfig` made of frozen, validated sections, which `sections` lists.
"""

from engine.config.data import (
    AugmentationConfig,
    DataConfig,
    DenoiseConfig,
    NoiseConfig,
    NoiseKind,
    resolve_paths,
    resolve_source,
)
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
from engine.config.run import (
    PRESET_ALIASES,
    RESOURCES,
    RunConfig,
    current_preset,
    from_flat,
    from_nested,
    from_record,
    is_continuation,
    option_name,
    preset,
    presets,
    sections,
    to_flat,
)
from engine.config.search import SearchConfig, StudyConfig
from engine.config.section import FieldSpec, Section, Setting, list_fields, setting, validate
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
    "from_record",
    "is_continuation",
    "list_fields",
    "model_title",
    "option_name",
    "preset",
    "presets",
    "resolve_paths",
    "resolve_source",
    "sections",
    "setting",
    "to_flat",
    "validate",
]

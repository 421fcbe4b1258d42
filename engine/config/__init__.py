"""Every setting of Engram, described once: title, unit, range, help.

The form in the window, the options of the command line, config.json and the table in the docs are all made from here.
A run's settings are a `RunConfig`: one frozen, validated section each, all listed by `sections`.
"""

from engine.config.data import DataConfig, absolute
from engine.config.models import (
    MODELS,
    AutoencoderConfig,
    BottleneckConfig,
    ConvolutionConfig,
    EvidenceConfig,
    ModelConfig,
    ResidualConfig,
    ResidualVariationalConfig,
    SkipAutoencoderConfig,
    StackConfig,
    UNetConfig,
    VariationalConfig,
    model_title,
)
from engine.config.run import RESOURCES, RunConfig, build, flat, parse, preset, presets, sections
from engine.config.search import SearchConfig
from engine.config.section import FieldSpec, Section, Setting, fields, setting, validated
from engine.config.study import StudyConfig
from engine.config.training import TrainingConfig
from engine.config.variation import AugmentationConfig, DenoiseConfig, NoiseConfig, NoiseKind

__all__ = [
    "MODELS",
    "RESOURCES",
    "AugmentationConfig",
    "AutoencoderConfig",
    "BottleneckConfig",
    "ConvolutionConfig",
    "DataConfig",
    "DenoiseConfig",
    "EvidenceConfig",
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
    "StackConfig",
    "StudyConfig",
    "TrainingConfig",
    "UNetConfig",
    "VariationalConfig",
    "absolute",
    "build",
    "fields",
    "flat",
    "model_title",
    "parse",
    "preset",
    "presets",
    "sections",
    "setting",
    "validated",
]

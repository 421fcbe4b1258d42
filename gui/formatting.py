"""Text of numbers in the app: the engine's formats, which widgets may use too."""

from engine.formatting import DASH as DASH
from engine.formatting import MINUS as MINUS
from engine.formatting import describe_fit as describe_fit
from engine.formatting import format_count as format_count
from engine.formatting import format_duration as format_duration
from engine.formatting import format_fixed as format_fixed
from engine.formatting import format_measured as format_measured
from engine.formatting import format_number as format_number
from engine.formatting import format_parameters as format_parameters
from engine.formatting import format_percent as format_percent
from engine.formatting import format_signed as format_signed

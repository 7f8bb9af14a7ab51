"""Optimum-Intel's int8 export of a Hugging Face folder, with the tokenizer for openvino-genai.

In an environment of its own (the product never needs these packages):

    pip install torch==2.13.0 "transformers>=4.51,<5.6" "optimum~=2.3.0" openvino nncf requests av
    pip install openvino-tokenizers
    pip install --no-deps optimum-intel==2.2.0   # asks for torchvision, which is not needed
    python benchmarks/converters/optimum_export.py FOLDER EXPORTED
"""

import shutil
import sys

import openvino
from openvino_tokenizers import convert_tokenizer
from optimum.intel import OVModelForSpeechSeq2Seq
from transformers import AutoProcessor

source, target = sys.argv[1:]
# What `optimum-cli export openvino --weight-format int8` does: a scale for each row of weights.
model = OVModelForSpeechSeq2Seq.from_pretrained(
    source, export=True, compile=False, load_in_8bit=True
)
model.save_pretrained(target)
processor = AutoProcessor.from_pretrained(source)
processor.save_pretrained(target)
# openvino-genai looks for the front end in its older file.
shutil.copy(f"{source}/preprocessor_config.json", target)
tokenizer, detokenizer = convert_tokenizer(processor.tokenizer, with_detokenizer=True)
openvino.save_model(tokenizer, f"{target}/openvino_tokenizer.xml")
openvino.save_model(detokenizer, f"{target}/openvino_detokenizer.xml")

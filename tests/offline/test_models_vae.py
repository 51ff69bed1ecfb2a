"""The paper's VAE: Table IV and its mirror."""

from __future__ import annotations

import torch

from offline.models.layers import Transposed, count
from offline.models.vae import DECODER_PARAMETERS, Decoder, Encoder

TABLE_IV = [(256, 8, 2), (256, 16, 2), (128, 32, 2), (64, 64, 10), (32, 128, 20), (1, 128, 20)]


def test_the_decoder_has_the_shapes_of_table_iv():
    network = Decoder().eval()
    seen = []
    for layer in network.grow:
        if isinstance(layer, Transposed):
            layer.register_forward_hook(lambda _layer, _inputs, out: seen.append(tuple(out.shape[1:])))
    assert network(torch.zeros(2, 128)).shape == (2, 128, 20)
    assert seen == TABLE_IV


def test_the_decoder_is_four_parameters_above_the_printed_total():
    assert count(Decoder()) == DECODER_PARAMETERS == 4_382_493 + 4


def test_the_encoder_walks_the_decoder_backwards():
    network = Encoder().eval()
    widths = [layer.conv.out_channels for layer in network.shrink if hasattr(layer, "conv")]
    assert widths == [32, 64, 128, 256, 256, 512]
    mean, spread = network(torch.zeros(2, 128, 20))
    assert mean.shape == spread.shape == (2, 128)

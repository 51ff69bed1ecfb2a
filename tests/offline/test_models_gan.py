"""The paper's GAN: the sizes that it prints."""

from __future__ import annotations

import pytest
import torch

from offline.models.gan import DISCRIMINATOR_PARAMETERS, Discriminator, Generator
from offline.models.layers import Convolution, Transposed, count, quickened

# Table II: shape after each layer that changes it, as (channels, steps, rows).
TABLE_II = [(512, 8, 2), (256, 16, 4), (128, 32, 4), (128, 128, 20), (1, 128, 20)]


def test_the_generator_has_the_published_parameters():
    assert count(Generator()) == 3_967_617


def test_the_generator_has_the_shapes_of_table_ii():
    network = Generator().eval()
    seen = [(512, 8, 2)]
    for layer in network.grow:
        if isinstance(layer, Transposed | Convolution):
            layer.register_forward_hook(lambda _layer, _inputs, out: seen.append(tuple(out.shape[1:])))
    assert network(torch.zeros(2, 128)).shape == (2, 128, 20)
    assert seen == TABLE_II


def test_a_quickened_generator_draws_the_same_without_a_convolution_to_one_channel():
    torch.manual_seed(4)
    network = Generator().eval()
    points = torch.randn(2, 128)
    with torch.no_grad():
        before = network(points)
        after = quickened(network)(points)
    assert not any(isinstance(part, Convolution) for part in network.modules())
    assert torch.allclose(after, before, atol=1e-5)


def test_what_has_no_quicker_form_stays():
    layers = torch.nn.Sequential(Convolution((8, 1), (3, 2)), Convolution((8, 2), (3, 3)))
    assert list(quickened(layers).children()) == list(layers.children())


def test_the_discriminator_has_the_published_size_and_says_one_number_a_bar():
    network = Discriminator()
    assert count(network) == DISCRIMINATOR_PARAMETERS == 1_840_065
    assert network(torch.zeros(3, 128, 20)).shape == (3,)


def test_a_discriminator_of_full_size_is_as_large_as_a_generator():
    assert 1.0 < count(Discriminator(1.5)) / count(Generator()) < 1.1


@pytest.mark.parametrize("stride", [(1, 1), (2, 1), (2, 5), (4, 5)])
@pytest.mark.parametrize("kernel", [(2, 2), (3, 5), (4, 4)])
def test_same_padding_divides_and_multiplies_by_the_stride(kernel, stride):
    x = torch.zeros(1, 1, 17, 11)
    assert Convolution((1, 1), kernel, stride)(x).shape[2:] == (-(-17 // stride[0]), -(-11 // stride[1]))
    assert Transposed((1, 1), kernel, stride)(x).shape[2:] == (17 * stride[0], 11 * stride[1])


def test_a_transposed_kernel_of_ones_covers_what_it_is_wide():
    layer = Transposed((1, 1), (4, 4), (2, 1))
    torch.nn.init.ones_(layer.conv.weight)
    torch.nn.init.zeros_(layer.conv.bias)
    x = torch.zeros(1, 1, 5, 7)
    x[0, 0, 2, 3] = 1
    assert torch.nonzero(layer(x)[0, 0]).tolist() == [[i, j] for i in range(3, 7) for j in range(2, 6)]

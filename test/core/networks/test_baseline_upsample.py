import pytest
import torch
from torch.nn import functional

from actseg_core.networks.baselines import ResponseUpsampler, bilinear_kernel


def test_corner_kernel_is_the_outer_product_of_0_to_32_to_1() -> None:
    kernel = bilinear_kernel("corner")
    assert kernel.shape == (64, 64)
    assert kernel[32, 32] == 1.0
    assert kernel[0].eq(0).all()
    assert kernel[16, 32] == 0.5
    assert kernel[63, 48] == pytest.approx(1 / 32 * 16 / 32)


def test_centre_kernel_is_symmetric() -> None:
    kernel = bilinear_kernel("centre")
    torch.testing.assert_close(kernel, kernel.flip(0, 1))
    assert kernel[31, 31] == pytest.approx((63 / 64) ** 2)


def test_one_cell_of_one_becomes_the_middle_of_the_kernel() -> None:
    enlarged = ResponseUpsampler("corner")(torch.ones(1, 1, 1))
    assert enlarged.shape == (1, 32, 32)
    assert enlarged[0, 16, 16] == 1.0  # tap 16 + 16 = 32, the peak
    assert enlarged[0, 0, 16] == 0.5  # tap 16
    assert enlarged[0, 31, 16] == 17 / 32  # tap 47


def test_a_fresh_centred_upsampler_interpolates_bilinearly() -> None:
    response = torch.randn((2, 3, 4), generator=torch.manual_seed(1))
    enlarged = ResponseUpsampler("centre")(response)
    expected = functional.interpolate(
        response.unsqueeze(1), scale_factor=32, mode="bilinear", align_corners=False
    )[:, 0]
    # Outside the outermost cell centres the deconvolution fades to zero instead of repeating.
    inner = (slice(None), slice(16, -16), slice(16, -16))
    torch.testing.assert_close(enlarged[inner], expected[inner], atol=1e-5, rtol=1e-5)


def test_equals_an_explicit_sum_over_cells_and_taps() -> None:
    upsampler = ResponseUpsampler("corner")
    with torch.no_grad():
        upsampler.deconvolution.weight.normal_(generator=torch.manual_seed(2))
    response = torch.randn((1, 2, 3), generator=torch.manual_seed(3))
    full = torch.zeros(1, 2 * 32 + 32, 3 * 32 + 32)
    for row in range(2):
        for column in range(3):
            place = (0, slice(32 * row, 32 * row + 64), slice(32 * column, 32 * column + 64))
            full[place] += response[0, row, column] * upsampler.deconvolution.weight[0, 0].detach()
    torch.testing.assert_close(upsampler(response), full[:, 16:-16, 16:-16], atol=1e-5, rtol=1e-5)


def test_has_no_bias() -> None:
    assert [name for name, _ in ResponseUpsampler("centre").named_parameters()] == [
        "deconvolution.weight"
    ]

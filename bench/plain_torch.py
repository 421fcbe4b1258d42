"""The reference study's autoencoder in forty lines of plain PyTorch: the baselines of `bench/train.py`."""

import torch
from torch import nn
from torch.nn import functional

FILTERS, LATENT, SIDE = (32, 64, 128, 256, 512), 512, 4


def after(filters):
    return [nn.BatchNorm2d(filters, eps=1e-3, momentum=0.01), nn.LeakyReLU(0.2)]


class Autoencoder(nn.Module):
    def __init__(self):
        super().__init__()
        down, up, channels = [], [], 1
        for filters in FILTERS:
            down += [nn.Conv2d(channels, filters, 3, 2, 1), *after(filters)]
            channels = filters
        self.encoder = nn.Sequential(*down, nn.Flatten(), nn.Linear(channels * SIDE**2, LATENT))
        self.dense = nn.Linear(LATENT, channels * SIDE**2)
        for filters in FILTERS[-2::-1]:
            up += [nn.ConvTranspose2d(channels, filters, 3, 2, 1, 1), *after(filters)]
            channels = filters
        self.decoder = nn.Sequential(*up, nn.ConvTranspose2d(channels, 1, 3, 2, 1, 1), nn.Sigmoid())

    def forward(self, images):
        features = self.dense(self.encoder(images)).view(len(images), FILTERS[-1], SIDE, SIDE)
        return self.decoder(features)


def epochs(images, batch_size, options):
    """Train an epoch a step; options: any of 'fused', 'channels-last', 'bfloat16', 'compiled'."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    layout = torch.channels_last if "channels-last" in options else torch.contiguous_format
    model = Autoencoder().to(device, memory_format=layout)
    step = torch.compile(model) if "compiled" in options else model
    adam = torch.optim.Adam(model.parameters(), 5e-4, fused="fused" in options)
    images = torch.from_numpy(images).permute(0, 3, 1, 2).contiguous(memory_format=layout)
    while True:
        for rows in torch.randperm(len(images)).split(batch_size):
            batch = images[rows].to(device, memory_format=layout)
            adam.zero_grad()
            with torch.autocast(device, torch.bfloat16, enabled="bfloat16" in options):
                made = step(batch)
            loss = functional.mse_loss(made.float(), batch)
            loss.backward()
            adam.step()
            loss.item()
        yield

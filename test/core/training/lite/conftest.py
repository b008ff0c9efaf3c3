import json
from pathlib import Path

import cv2
import numpy as np
import pytest


def write_photos(folder: Path, count: int = 6) -> Path:
    """Photographs of 120x90 with one or two bright rectangles each, in COCO's format."""
    (folder / "images").mkdir(parents=True)
    rng = np.random.default_rng(0)
    images, annotations = [], []
    for number in range(1, count + 1):
        picture = rng.integers(0, 80, (90, 120, 3), np.uint8)
        images.append(
            {
                "id": number,
                "file_name": f"{number:012d}.jpg",
                "width": 120,
                "height": 90,
                "license": 4 if number % 2 else 1,
                "annotated": "full" if number < count else "dogs joined in one mask",
            }
        )
        for part in range(1 + number % 2):
            x, y = 10 + 60 * part, 20 + 5 * number
            picture[y : y + 30, x : x + 40] = 150 + 50 * part
            corners = [x, y, x + 40, y, x + 40, y + 30, x, y + 30]
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": number,
                    "category_id": 1 + part,
                    "segmentation": [corners],
                    "area": 1200,
                    "bbox": [x, y, 40, 30],
                    "iscrowd": 0,
                }
            )
        cv2.imwrite(str(folder / "images" / f"{number:012d}.jpg"), picture)
    content = {
        "images": images,
        "annotations": annotations,
        "categories": [{"id": 1, "name": "dog"}, {"id": 2, "name": "car"}],
    }
    (folder / "instances.json").write_text(json.dumps(content))
    return folder


@pytest.fixture
def photo_folder(tmp_path: Path) -> Path:
    return write_photos(tmp_path / "photos")

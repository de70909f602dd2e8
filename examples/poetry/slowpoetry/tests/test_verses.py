"""What is done to poems."""

from slowpoetry.verses import TransformError, pieces, transform
from whotests.testing import TestCase


class VersesTest(TestCase):
    """Pieces and transformations need no network."""

    def test_pieces(self) -> None:
        """All of the poem is in the pieces, in order."""
        self.assertEqual([b"feat", b"hers"], list(pieces(b"feathers", 4)))
        self.assertEqual([b"feath", b"ers"], list(pieces(b"feathers", 5)))
        self.assertEqual([], list(pieces(b"", 5)))

    def test_transforms(self) -> None:
        """Each transformation does what its name says."""
        self.assertEqual("hope\nis\n", transform("lowercase", "Hope\nis\n"))
        self.assertEqual("is\nHope\n", transform("backwards", "Hope\nis\n"))

    def test_an_unknown_transform(self) -> None:
        """The error names what there is."""
        with self.assertRaisesRegex(TransformError, "'rhyme'; there are lowercase, backwards"):
            transform("rhyme", "Hope")

"""Each sample goes to the layer that it belongs to: python3 -m unittest benches.test_layers."""

import unittest

from benches import layers
from benches.layers import LAYERS, Place, layer_of

CRATES = "/root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f"
LIBRARY = "/rustc/59807616e1fa2540724bfbac14d7976d7e4a3860/library"


class Layers(unittest.TestCase):
    def test_the_kernel_is_divided_by_the_call_that_led_there(self) -> None:
        self.assertEqual(layer_of(Place(kernel=("_copy_to_iter", "tcp_recvmsg", "__x64_sys_recvfrom"))), layers.READING)
        self.assertEqual(layer_of(Place(kernel=("schedule", "futex_wait", "__x64_sys_futex"))), layers.THREADS)
        self.assertEqual(layer_of(Place(kernel=("clear_page_erms", "asm_exc_page_fault"))), layers.KERNEL)

    def test_what_is_generic_belongs_to_whom_it_works_for(self) -> None:
        inlined = (f"{LIBRARY}/core/src/str/mod.rs", "src/json.rs", "src/socketio/arguments.rs")
        self.assertEqual(layer_of(Place(files=inlined)), layers.JSON)
        self.assertEqual(layer_of(Place(files=inlined[:1])), layers.FRAMES)

    def test_other_crates_are_not_taken_for_ours(self) -> None:
        self.assertEqual(layer_of(Place(files=(f"{CRATES}/hyper-1.12.0/src/client/conn/http1.rs",))), layers.UNKNOWN)
        self.assertEqual(layer_of(Place(files=(f"{CRATES}/tokio-1.54.0/src/runtime/task/raw.rs",))), layers.TOKIO)
        self.assertEqual(layer_of(Place(files=(f"{CRATES}/tokio-tungstenite-0.30.0/src/lib.rs",))), layers.FRAMES)

    def test_what_has_no_rule_is_said_to_have_none(self) -> None:
        self.assertEqual(layer_of(Place(symbol="[unknown]")), layers.UNKNOWN)

    def test_every_rule_leads_to_a_row_of_the_table(self) -> None:
        rules = layers.KERNEL_RULES + layers.SOURCE_RULES + layers.GENERIC_RULES + layers.SYMBOL_RULES
        self.assertEqual({layer for _, layer in rules} - set(LAYERS), set())

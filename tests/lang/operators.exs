IO.inspect [1 + 2, 5 - 3, 2 * 3, 7 / 2, div(7, 2), rem(-7, 2), 2 ** 10, 2 ** 0.5]
IO.inspect 9223372036854775807 + 1
IO.inspect -9223372036854775808 - 1
IO.inspect 99999999999 * 99999999999
IO.inspect div(-9223372036854775808, -1)
IO.inspect [1 == 1.0, 1 === 1.0, 1 != 2, 1 !== 1.0, 1 < 2, 2 <= 2, 3 > 4, 3 >= 3]
IO.inspect [1 < :a, :a < {}, {} < [], [] < "x", %{} < [], 1 < 2.5]
IO.inspect [[1, 2] ++ [3], [1, 2, 3, 2] -- [2], "a" <> "b" <> "c"]
IO.inspect [true and false, true or false, not true, nil || 1, false && 2, 1 && 2, !nil, !1]
IO.inspect [1 in [1, 2], 3 not in [1, 2], 5 in 1..10, 4 in 1..10//2, not (1 in [1])]
IO.inspect "hello" =~ "ell"
IO.inspect [1, 2, 3] |> Enum.map(fn x -> x * 2 end) |> Enum.map(&(&1 + 1))
import Bitwise
IO.inspect [5 &&& 3, 5 ||| 3, bxor(5, 3), 1 <<< 10, 1024 >>> 3, bnot(5), -1 >>> 1]
IO.inspect 1 + 2 * 3 - 4 / 2
IO.inspect (1 + 2) * 3
IO.inspect -2 ** 2
IO.inspect [1, 2] ++ [3] ++ [4]
IO.inspect [1, 2, 3] -- [1] -- [2]
x = 5
IO.inspect [-x, +x, x-1, x - 1]
IO.inspect x > 3 and x < 10
IO.inspect is_integer(x) && :yes
IO.inspect(if x > 3, do: :big, else: :small)
IO.inspect 1..3 |> Enum.map(& &1 * &1)
IO.inspect Kernel.+(1, 2)
IO.inspect Enum.reduce([1, 2, 3], 0, &+/2)
IO.inspect Enum.map([1, 2], &Kernel.to_string/1)
IO.inspect 1 |> Kernel.+(2) |> then(fn x -> x * 10 end)
IO.inspect ("a" <> "b") |> String.upcase()

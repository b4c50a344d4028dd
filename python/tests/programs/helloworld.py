import luigi


class HelloWorldTask(luigi.Task):
    def run(self):
        with self.output().open("w") as out:
            out.write("Hello World\n")

    def output(self):
        return luigi.LocalTarget("hello.txt")

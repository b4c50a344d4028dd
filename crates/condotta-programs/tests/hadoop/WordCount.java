// Counts words: a jar for the tests of jobs on Hadoop. On the word `fail` its mapper fails, on `hang` it waits.

import java.io.IOException;
import org.apache.hadoop.conf.Configured;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.io.IntWritable;
import org.apache.hadoop.io.Text;
import org.apache.hadoop.mapreduce.Job;
import org.apache.hadoop.mapreduce.Mapper;
import org.apache.hadoop.mapreduce.Reducer;
import org.apache.hadoop.mapreduce.lib.input.FileInputFormat;
import org.apache.hadoop.mapreduce.lib.output.FileOutputFormat;
import org.apache.hadoop.util.Tool;
import org.apache.hadoop.util.ToolRunner;

public class WordCount extends Configured implements Tool {
    public static class Words extends Mapper<Object, Text, Text, IntWritable> {
        protected void map(Object key, Text line, Context context) throws IOException, InterruptedException {
            for (String word : line.toString().split(" ")) {
                if (word.equals("fail")) throw new IOException("a word that fails");
                if (word.equals("hang")) Thread.sleep(Long.MAX_VALUE);
                context.write(new Text(word), new IntWritable(1));
            }
        }
    }

    public static class Sum extends Reducer<Text, IntWritable, Text, IntWritable> {
        protected void reduce(Text word, Iterable<IntWritable> counts, Context context)
                throws IOException, InterruptedException {
            int sum = 0;
            for (IntWritable count : counts) sum += count.get();
            context.write(word, new IntWritable(sum * context.getConfiguration().getInt("test.factor", 1)));
        }
    }

    public int run(String[] arguments) throws Exception {
        Job job = Job.getInstance(getConf(), "word count");
        job.setJarByClass(WordCount.class);
        job.setMapperClass(Words.class);
        job.setReducerClass(Sum.class);
        job.setOutputKeyClass(Text.class);
        job.setOutputValueClass(IntWritable.class);
        FileInputFormat.addInputPath(job, new Path(arguments[0]));
        FileOutputFormat.setOutputPath(job, new Path(arguments[1]));
        return job.waitForCompletion(true) ? 0 : 1;
    }

    public static void main(String[] arguments) throws Exception {
        System.exit(ToolRunner.run(new WordCount(), arguments));
    }
}
